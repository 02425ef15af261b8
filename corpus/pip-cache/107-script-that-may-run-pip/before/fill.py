import subprocess

subprocess.run(['pip', 'install', 'gauge'])
