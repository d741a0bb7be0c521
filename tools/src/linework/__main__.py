from linework.cli import main

main()
