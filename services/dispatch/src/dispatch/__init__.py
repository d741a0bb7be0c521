"""dispatch: gives orders to work areas and repair staff, and rules on rejections. It keeps the directory of both."""
