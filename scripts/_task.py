"""Options that several programs share: what a task is, and which GPUs are used."""

import json


def add_task(parser) -> None:
    """Add --name, --kind, --labels, --metric, --columns and --segments."""
    group = parser.add_argument_group("the task")
    group.add_argument("--name", required=True)
    group.add_argument("--kind", required=True)
    group.add_argument("--labels", nargs="+", required=True, help="in the order of the classes")
    group.add_argument("--metric", required=True)
    group.add_argument("--columns", nargs="+", required=True, help="text columns (tagging: tokens)")
    group.add_argument("--segments", type=json.loads, default=[], help="JSON: which columns make each text")


def task_of(arguments):
    """The `tasks.Task` of parsed options."""
    from mtbridge.specs.task import Task

    return Task(
        arguments.name,
        arguments.kind,
        tuple(arguments.labels),
        arguments.metric,
        tuple(arguments.columns),
        tuple(tuple(segment) for segment in arguments.segments),
    )


def add_gpus(parser) -> None:
    """Add --gpus and --runs-per-gpu."""
    parser.add_argument("--gpus", type=int, help="0: the CPU; N: so many, reserved; default: what is there, unreserved")
    parser.add_argument("--runs-per-gpu", type=int, default=1, help="processes that may share a reserved GPU")


def take_gpus(arguments) -> int:
    """Reserve what the options ask for; the number of GPUs to use."""
    if arguments.gpus is None:
        return 1
    from mtbridge.base.devices import take

    return take(arguments.gpus, arguments.runs_per_gpu)
