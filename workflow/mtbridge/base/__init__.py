"""What all other rooms use: errors, files, progress, identity of code, devices, and how programs start."""
