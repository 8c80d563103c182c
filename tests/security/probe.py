"""Send each token on standard input to the service, as this process's environment configures it."""

import json
import sys

import django

if __name__ == "__main__":
    django.setup()
    from django.test import Client

    statuses = {}
    for name, token in json.load(sys.stdin).items():
        header = Client(headers={"Host": "localhost", "Authorization": f"JWT {token}"})
        cookie = Client(headers={"Host": "localhost"})
        payload, _, signature = token.rpartition(".")
        cookie.cookies["edx-jwt-cookie-header-payload"] = payload
        cookie.cookies["edx-jwt-cookie-signature"] = signature
        answers = [client.get("/api/v1/enterprise-catalogs/") for client in (header, cookie)]
        statuses[name] = [[answer.status_code, answer.json().get("detail")] for answer in answers]
    json.dump(statuses, sys.stdout)
