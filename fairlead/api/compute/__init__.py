"""The Nova dialect, under /compute/v2.1: servers, flavors and attached interfaces."""
