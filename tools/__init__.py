"""The programs that `make` runs, such as the engine and the stack on the IAM emulator."""
