"""Measurements.

Usage:
  main.py serve [--port=PORT]
  main.py summary FILE
"""

from __future__ import annotations

import json
from pathlib import Path

from docopt import docopt
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel

from app import report


class Table(BaseModel):
    csv: str


service = FastAPI(title="measurements")


@service.post("/summary")
def summary(table: Table) -> dict[str, dict[str, float]]:
    try:
        return report.summary(report.read(table.csv))
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


@service.post("/picture")
def picture(table: Table) -> Response:
    return Response(report.picture(report.read(table.csv)), media_type="image/png")


def main() -> None:
    options = docopt(__doc__)
    if options["summary"]:
        print(json.dumps(report.summary(report.read(Path(options["FILE"]).read_text()))))
        return
    import uvicorn

    uvicorn.run(service, host="0.0.0.0", port=int(options["--port"] or 8080))


if __name__ == "__main__":
    main()
