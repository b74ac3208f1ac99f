"""`python -m cromulent_wdl` is the `cromulent` command."""

from .cli.main import main

if __name__ == "__main__":
    main()
