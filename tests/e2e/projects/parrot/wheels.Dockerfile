FROM python:3.12-bookworm AS compiler
COPY requirements.txt .
RUN pip install -r requirements.txt

FROM python:3.12-slim
COPY --from=compiler /root/.cache /root/.cache
COPY requirements.txt .
RUN pip install -r requirements.txt && rm -rf /root/.cache
COPY main.py .
CMD ["python", "main.py"]
