# ruff: noqa: D102, N802 - the protocol's own names
"""A substitute for the plugin of pulumi-aws, which is too large for these tests: IAM users on the IAM emulator.

It implements the engine's provider protocol, so the real engine decides about order, dependencies, import and
deletion. It does not validate, wait or record as the real plugin does. It only records permissions boundaries,
because the IAM emulator does not support them.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import grpc
from botocore.exceptions import ClientError
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import provider_pb2 as messages
from pulumi.runtime.proto.plugin_pb2 import PluginInfo
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer, add_ResourceProviderServicer_to_server

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

USER = "aws:iam/user:User"
DEFAULTS: dict[str, Any] = {"path": "/", "forceDestroy": False}


class Users:
    """IAM users with the inputs of pulumi-aws; the id is the name."""

    def __init__(self, iam: IAMClient) -> None:
        self.iam = iam

    def create(self, news: dict[str, Any]) -> str:
        """Create the user."""
        self.iam.create_user(UserName=news["name"], Path=news["path"], Tags=_tags(news.get("tags", {})))
        return str(news["name"])

    def read(self, id_: str, recorded: dict[str, Any]) -> dict[str, Any]:
        """Return the existing user as inputs."""
        user = self.iam.get_user(UserName=id_)["User"]
        tags = {tag["Key"]: tag["Value"] for tag in self.iam.list_user_tags(UserName=id_)["Tags"]}
        boundary = {name: recorded[name] for name in ("permissionsBoundary",) if name in recorded}
        return {**DEFAULTS, "name": id_, "path": user["Path"], **({"tags": tags} if tags else {}), **boundary}

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> None:
        """Update the path and the tags."""
        self.iam.update_user(UserName=id_, NewPath=news["path"])
        gone = olds.get("tags", {}).keys() - news.get("tags", {}).keys()
        self.iam.untag_user(UserName=id_, TagKeys=sorted(gone))
        self.iam.tag_user(UserName=id_, Tags=_tags(news.get("tags", {})))

    def delete(self, recorded: dict[str, Any]) -> None:
        """Delete the user. IAM rejects this if the user still has credentials, keys or policies."""
        self.iam.delete_user(UserName=recorded["name"])

    def replaces(self, olds: dict[str, Any], news: dict[str, Any]) -> list[str]:
        """Return the changed inputs that require a replacement."""
        return [name for name in ("name",) if olds.get(name) != news.get(name)]


class Attachments:
    """Managed policies attached to users, which have no update."""

    def __init__(self, iam: IAMClient) -> None:
        self.iam = iam

    def create(self, news: dict[str, Any]) -> str:
        """Attach the policy."""
        self.iam.attach_user_policy(UserName=news["user"], PolicyArn=news["policyArn"])
        return f"{news['user']}-1"

    def read(self, _id: str, recorded: dict[str, Any]) -> dict[str, Any]:
        """Return the inputs if the policy is attached."""
        attached = self.iam.list_attached_user_policies(UserName=recorded["user"])["AttachedPolicies"]
        is_there = recorded["policyArn"] in {policy["PolicyArn"] for policy in attached}
        return {name: recorded[name] for name in ("user", "policyArn")} if is_there else {}

    def delete(self, recorded: dict[str, Any]) -> None:
        """Detach the policy."""
        self.iam.detach_user_policy(UserName=recorded["user"], PolicyArn=recorded["policyArn"])

    def replaces(self, olds: dict[str, Any], news: dict[str, Any]) -> list[str]:
        """Return the changed inputs that require a replacement."""
        return [name for name in ("user", "policyArn") if olds.get(name) != news.get(name)]


class Plugin(ResourceProviderServicer):
    """The provider protocol, as far as the engine uses it here."""

    def __init__(self) -> None:
        self.iam = boto3.client("iam", region_name="us-east-1")
        self.sts = boto3.client("sts", region_name="us-east-1")

    def GetPluginInfo(self, *_: object) -> PluginInfo:
        return PluginInfo(version="7.51.1")

    def CheckConfig(self, request: messages.CheckRequest, _: grpc.ServicerContext) -> messages.CheckResponse:
        return messages.CheckResponse(inputs=request.news)

    def DiffConfig(self, *_: object) -> messages.DiffResponse:
        return messages.DiffResponse(changes=messages.DiffResponse.DIFF_NONE)

    def Configure(self, *_: object) -> messages.ConfigureResponse:
        return messages.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Invoke(self, request: messages.InvokeRequest, _: grpc.ServicerContext) -> messages.InvokeResponse:
        answer = messages.InvokeResponse()
        if request.tok == "aws:iam/getUsers:getUsers":
            names = [user["UserName"] for user in self.iam.list_users()["Users"]]
            getattr(answer, "return").update({"names": names})
        else:
            getattr(answer, "return").update({"accountId": self.sts.get_caller_identity()["Account"]})
        return answer

    def Check(self, request: messages.CheckRequest, _: grpc.ServicerContext) -> messages.CheckResponse:
        defaults = DEFAULTS if request.type == USER else {}
        answer = messages.CheckResponse()
        answer.inputs.update({**defaults, **MessageToDict(request.news)})
        return answer

    def Diff(self, request: messages.DiffRequest, _: grpc.ServicerContext) -> messages.DiffResponse:
        olds, news = MessageToDict(request.old_inputs), MessageToDict(request.news)
        names = sorted({*olds, *news})
        diffs = [name for name in names if olds.get(name) != news.get(name)]
        words = messages.DiffResponse
        return words(
            changes=words.DIFF_SOME if diffs else words.DIFF_NONE,
            diffs=diffs,
            replaces=self._kind(request.type).replaces(olds, news),
            deleteBeforeReplace=True,  # as pulumi-aws does for named resources
        )

    def Create(self, request: messages.CreateRequest, context: grpc.ServicerContext) -> messages.CreateResponse:
        news = MessageToDict(request.properties)
        if request.preview:
            return messages.CreateResponse(properties=request.properties)
        answer = messages.CreateResponse()
        try:
            answer.id = self._kind(request.type).create(news)
        except ClientError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        answer.properties.update(_outputs(request.type, answer.id, news))
        return answer

    def Read(self, request: messages.ReadRequest, context: grpc.ServicerContext) -> messages.ReadResponse:
        recorded = MessageToDict(request.properties)
        answer = messages.ReadResponse()
        try:
            inputs = self._kind(request.type).read(request.id, recorded)
        except self.iam.exceptions.NoSuchEntityException:
            return answer
        except ClientError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        if inputs:
            answer.id = request.id
            answer.inputs.update(inputs)
            answer.properties.update(_outputs(request.type, request.id, inputs))
        return answer

    def Update(self, request: messages.UpdateRequest, context: grpc.ServicerContext) -> messages.UpdateResponse:
        olds, news = MessageToDict(request.old_inputs), MessageToDict(request.news)
        try:
            if not request.preview:
                Users(self.iam).update(request.id, olds, news)
        except ClientError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        answer = messages.UpdateResponse()
        answer.properties.update(_outputs(request.type, request.id, news))
        return answer

    def Delete(self, request: messages.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        try:
            self._kind(request.type).delete(MessageToDict(request.properties))
        except ClientError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return Empty()

    def Cancel(self, *_: object) -> Empty:
        return Empty()

    def _kind(self, type_: str) -> Users | Attachments:
        return Users(self.iam) if type_ == USER else Attachments(self.iam)


def _tags(tags: dict[str, str]) -> list[Any]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _outputs(type_: str, id_: str, inputs: dict[str, Any]) -> dict[str, Any]:
    more = {"arn": f"arn:aws:iam::123456789012:user{inputs['path']}{id_}"} if type_ == USER else {}
    return {**inputs, **more}


def main() -> None:
    """Serve until the engine ends this process. The engine reads the port from the first line of the output."""
    server = grpc.server(ThreadPoolExecutor(8))
    add_ResourceProviderServicer_to_server(Plugin(), server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    sys.stdout.flush()
    server.start()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
