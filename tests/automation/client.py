"""A stack's life by Pulumi's Automation API for Python: client.py <root with bin/pulumi> <work folder of a Node program>.

Prints one line of JSON a step. The same steps in Go: build/real-parts/mains/automation.go.
"""

import json
import sys

import pulumi
from pulumi import automation as auto


def saw(step, what):
    print(json.dumps({"step": step, "saw": what}), flush=True)


def outputs(of):
    return {name: {"value": output.value, "secret": output.secret} for name, output in of.items()}


def names(workspace):
    return [stack.name for stack in workspace.list_stacks()]


def local(options, folder):
    stack = auto.create_or_select_stack("dev", work_dir=folder, opts=options)
    saw("stacks", names(stack.workspace))
    stack.set_all_config({"plain": auto.ConfigValue("a value"), "token": auto.ConfigValue("hush", secret=True)})
    token = stack.get_config("token")
    saw("config", {"value": token.value, "secret": token.secret})
    plan = folder + "/plan.json"
    saw("preview", stack.preview(plan=plan).change_summary)
    up = stack.up(message="by a client", plan=plan)
    saw("up", {"result": up.summary.result, "changes": up.summary.resource_changes, "outputs": outputs(up.outputs)})
    saw("preview again", stack.preview(expect_no_changes=True).change_summary)
    saw("refresh", stack.refresh().summary.result)
    stack.import_stack(stack.export_stack())
    saw("outputs after export and import", outputs(stack.outputs()))
    saw("history", [f"{update.kind} {update.result}" for update in stack.history(page_size=10, page=1)])
    destroyed = stack.destroy()
    saw("destroy", {"result": destroyed.summary.result, "changes": destroyed.summary.resource_changes})
    stack.workspace.remove_stack("dev")
    saw("stacks at the end", names(stack.workspace))


def inline(options):
    def program():
        pulumi.export("answer", 42)
        pulumi.export("word", pulumi.Output.secret("hush"))

    def fails():
        raise RuntimeError("no luck")

    stack = auto.create_or_select_stack("dev", project_name="inline", program=program, opts=options)
    up = stack.up()
    saw("inline up", {"changes": up.summary.resource_changes, "outputs": outputs(up.outputs)})
    saw("inline preview", stack.preview().change_summary)
    stack.workspace.program = fails
    try:
        stack.up()
        saw("inline error", False)
    except Exception as error:  # the client's own error class differs from step to step
        saw("inline error", "no luck" in str(error))
    stack.destroy()
    stack.workspace.remove_stack("dev")


command = auto.PulumiCommand(root=sys.argv[1], skip_version_check=True)
OPTIONS = auto.LocalWorkspaceOptions(pulumi_command=command)
local(OPTIONS, sys.argv[2])
inline(OPTIONS)
