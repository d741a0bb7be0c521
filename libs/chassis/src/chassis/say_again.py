"""The command `python -m chassis.say_again SERVICE TOPIC`; see `chassis.recovery.re_emit`."""

from chassis.recovery.re_emit import main

if __name__ == "__main__":
    main()
