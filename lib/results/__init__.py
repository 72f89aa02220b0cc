"""What was found: the numbers of this build beside the reference results that are kept with the library."""
