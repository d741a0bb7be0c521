from linework_partner.cli import main

main()
