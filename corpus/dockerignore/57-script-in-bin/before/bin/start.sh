#!/bin/sh
exec dotnet /app/Shop.dll
