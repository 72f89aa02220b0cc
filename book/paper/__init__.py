"""The paper: what is computed of it, its claims, the rules that judge them, and the findings that the pages state."""
