import os

print(os.popen("make -s revision").read())
