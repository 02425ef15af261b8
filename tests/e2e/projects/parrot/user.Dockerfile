FROM python:3.12-slim
RUN useradd --create-home --uid 1234 parrot
USER parrot
WORKDIR /home/parrot
COPY requirements.txt .
RUN pip install --user --no-cache-dir -r requirements.txt
COPY main.py .
CMD ["python", "main.py"]
