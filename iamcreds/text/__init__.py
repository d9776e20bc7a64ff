"""Text as people write and read it: names, durations, counts, tables; what comes from outside made harmless."""
