"""Write the backup of this version."""

from tests.backups import make

if __name__ == "__main__":
    make()
