"""One AWS that answers on loopback, as its clients see it."""

import dataclasses
import functools

import boto3
from botocore.config import Config


@functools.cache
def _client(service, url, region, access_key, secret_key):
    """Making one costs more than most calls."""
    return boto3.client(service, region_name=region, endpoint_url=url, aws_access_key_id=access_key, aws_secret_access_key=secret_key,
                        config=Config(retries={"max_attempts": 2}, read_timeout=20))


@dataclasses.dataclass
class Peer:
    name: str
    url: str
    access_key: str
    secret_key: str
    region: str = "eu-west-1"
    verifies: bool = False  # checks signatures, so a wrong secret must be noticed

    def client(self, service):
        return _client(service, self.url, self.region, self.access_key, self.secret_key)

    def env(self, **more):
        """What a user would export to point sluice (or the AWS CLI) here."""
        env = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key, "AWS_REGION": self.region,
               "AWS_DEFAULT_REGION": self.region, "AWS_ENDPOINT_URL": self.url}
        env.update(more)
        return env

    def with_secret(self, secret):
        return dataclasses.replace(self, secret_key=secret)

    def at(self, url):
        return dataclasses.replace(self, url=url)
