"""`python -m medtheca` is the same as `medtheca`."""

from medtheca.config.command_line import main

if __name__ == "__main__":
    main()
