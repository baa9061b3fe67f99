"""What leaves the program: documents for other programs, tables for people."""
