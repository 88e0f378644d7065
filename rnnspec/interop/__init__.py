"""Other people's modules and files: here they become ours, and ours theirs."""
