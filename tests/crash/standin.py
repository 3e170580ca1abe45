#!/usr/bin/env python3
"""A stand-in for AWS (STS, S3 Control and S3 on one port) whose buckets can come and go at random.

Usage: standin.py PORT [GONE]   serves until it is ended; every bucket is there, but `missing` is not, those that the file GONE
names are not, and `hanging` never answers."""
import asyncio
import pathlib
import random
import re
import signal
import sys

from loopback import Server

REGION = "eu-central-1"


class StandIn:
    """One access grants location per account: `s3://bucket-N/prefix` for the account whose number is N in twelve digits.

    With a seed, each listing of a bucket finds it gone with probability one half, until `stabilise` is called."""

    def __init__(self, seed=None, port=0, gone=None):
        self.seed = seed
        self.gone_file = gone
        self.dice = {}
        self.requests = 0
        self.gone = set()
        self.server = Server(self.answer, port)
        self.url = f"http://127.0.0.1:{self.server.port}"

    def stabilise(self):
        """Keeps every bucket as it is from now on."""
        self.seed = None

    async def answer(self, request):
        self.requests += 1
        if request.path.startswith("/v20180820/accessgrantsinstance/locations"):
            return 200, locations(account(request))
        if request.path.startswith("/v20180820/accessgrantsinstance"):
            return 200, instance(account(request))
        if "Action" in request.query or b"Action=" in request.body:
            return 200, identity(account(request))
        return await self.listing(request.path.strip("/"), request.query)

    async def listing(self, bucket, query):
        if bucket == "hanging":
            await asyncio.sleep(3600)
        if self.seed is not None:
            dice = self.dice.setdefault(bucket, random.Random(f"{self.seed} {bucket}"))
            (self.gone.add if dice.random() < 0.5 else self.gone.discard)(bucket)
        named = self.gone_file.read_text().split() if self.gone_file else []
        if bucket in ("missing", *named) or bucket in self.gone:
            return 404, error("NoSuchBucket", "The specified bucket does not exist")
        prefix = query.get("prefix", [""])[0]
        return 200, (
            f"<ListBucketResult><Name>{bucket}</Name><Prefix>{prefix}</Prefix><KeyCount>1</KeyCount>"
            f"<MaxKeys>1</MaxKeys><IsTruncated>false</IsTruncated>"
            f"<Contents><Key>{prefix}/object</Key><Size>1</Size></Contents></ListBucketResult>"
        ).encode()


def account(request):
    """Returns the account that the signing key belongs to: the twelve digits at its end."""
    found = re.search(r"Credential=\w*?(\d{12})/", request.headers.get("authorization", ""))
    return found.group(1) if found else "0" * 12


def identity(number):
    return (
        f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{number}:user/reader</Arn>"
        f"<UserId>AIDATEST{number}</UserId><Account>{number}</Account></GetCallerIdentityResult>"
        f"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    ).encode()


def instance(number):
    return (
        f"<GetAccessGrantsInstanceResult><AccessGrantsInstanceArn>arn:aws:s3:{REGION}:{number}:access-grants/default"
        f"</AccessGrantsInstanceArn><AccessGrantsInstanceId>default</AccessGrantsInstanceId>"
        f"<CreatedAt>2026-01-01T00:00:00Z</CreatedAt></GetAccessGrantsInstanceResult>"
    ).encode()


def locations(number):
    return (
        f"<ListAccessGrantsLocationsResult><AccessGrantsLocationsList><AccessGrantsLocation>"
        f"<CreatedAt>2026-01-01T00:00:00Z</CreatedAt><AccessGrantsLocationId>{number}</AccessGrantsLocationId>"
        f"<AccessGrantsLocationArn>arn:aws:s3:{REGION}:{number}:access-grants/default/location/{number}"
        f"</AccessGrantsLocationArn><LocationScope>{path(int(number))}*</LocationScope>"
        f"<IAMRoleArn>{role(int(number))}</IAMRoleArn></AccessGrantsLocation></AccessGrantsLocationsList>"
        f"</ListAccessGrantsLocationsResult>"
    ).encode()


def error(code, message):
    return f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>1</RequestId></Error>".encode()


def path(number):
    return f"s3://bucket-{number}/prefix"


def role(number):
    return f"arn:aws:iam::{number:012}:role/locations"


if __name__ == "__main__":
    StandIn(port=int(sys.argv[1]), gone=pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    signal.pause()
