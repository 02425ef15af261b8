DATA_URL=https://data.example.com/latest.json
