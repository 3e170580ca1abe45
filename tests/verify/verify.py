"""Verifies deliveries with the Python libraries `standardwebhooks` and `svix`.

Usage: verify.py FILE, one JSON object a line:
{"secret": .., "headers": {..}, "body": .., "expect": true or false, "why": ..}
"""

import json
import sys

import standardwebhooks
import svix.webhooks

LIBRARIES = {
    "standardwebhooks": (standardwebhooks.Webhook, standardwebhooks.webhooks.WebhookVerificationError),
    "svix": (svix.webhooks.Webhook, svix.webhooks.WebhookVerificationError),
}


def accepts(library, delivery):
    """Any other exception than the library's own refusal ends the program."""
    webhook, refusal = library
    try:
        webhook(delivery["secret"]).verify(delivery["body"].encode(), delivery["headers"])
    except refusal:
        return False
    return True


def main(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        deliveries = [json.loads(line) for line in file]
    for name, library in LIBRARIES.items():
        counts = {True: 0, False: 0}
        for number, delivery in enumerate(deliveries, 1):
            accepted = accepts(library, delivery)
            if accepted != delivery["expect"]:
                found = "accepted" if accepted else "refused"
                sys.exit(f"Python {name}: line {number} was {found}: {delivery['why']}")
            counts[accepted] += 1
        print(f"Python {name}: {counts[True]} accepted, {counts[False]} refused")


if __name__ == "__main__":
    main(sys.argv[1])
