"""What everything stands on: errors, files, progress, identity of code, devices, and how programs start."""
