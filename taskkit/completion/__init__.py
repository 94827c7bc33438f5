"""Shell completion: scripts for bash, zsh and fish, and the program that they ask for words."""
