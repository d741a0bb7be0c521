"""The command `python -m chassis.restored SERVICE`; see `chassis.recovery.restored_backup`."""

from chassis.recovery.restored_backup import main

if __name__ == "__main__":
    main()
