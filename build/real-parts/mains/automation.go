// A stack's life by Pulumi's Automation API for Go: automation <root with bin/pulumi> <work folder of a Node program>. Prints one line
// of JSON a step: {"step": …, "saw": …}. The same steps in Python: tests/automation/client.py.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func saw(step string, what any) {
	line, err := json.Marshal(map[string]any{"step": step, "saw": what})
	must(err)
	fmt.Println(string(line))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func outputs(of auto.OutputMap) map[string]any {
	all := map[string]any{}
	for name, output := range of {
		all[name] = map[string]any{"value": output.Value, "secret": output.Secret}
	}
	return all
}

func names(ctx context.Context, workspace auto.Workspace) []string {
	stacks, err := workspace.ListStacks(ctx)
	must(err)
	all := []string{}
	for _, stack := range stacks {
		all = append(all, stack.Name)
	}
	return all
}

func local(ctx context.Context, command auto.PulumiCommand, folder string) {
	stack, err := auto.UpsertStackLocalSource(ctx, "dev", folder, auto.Pulumi(command))
	must(err)
	saw("stacks", names(ctx, stack.Workspace()))
	must(stack.SetAllConfig(ctx, auto.ConfigMap{"plain": {Value: "a value"}, "token": {Value: "hush", Secret: true}}))
	token, err := stack.GetConfig(ctx, "token")
	must(err)
	saw("config", map[string]any{"value": token.Value, "secret": token.Secret})
	plan := folder + "/plan.json"
	preview, err := stack.Preview(ctx, optpreview.Plan(plan))
	must(err)
	saw("preview", preview.ChangeSummary)
	up, err := stack.Up(ctx, optup.Message("by a client"), optup.Plan(plan))
	must(err)
	saw("up", map[string]any{"result": up.Summary.Result, "changes": up.Summary.ResourceChanges, "outputs": outputs(up.Outputs)})
	again, err := stack.Preview(ctx, optpreview.ExpectNoChanges())
	must(err)
	saw("preview again", again.ChangeSummary)
	refreshed, err := stack.Refresh(ctx)
	must(err)
	saw("refresh", refreshed.Summary.Result)
	state, err := stack.Export(ctx)
	must(err)
	must(stack.Import(ctx, state))
	kept, err := stack.Outputs(ctx)
	must(err)
	saw("outputs after export and import", outputs(kept))
	history, err := stack.History(ctx, 10, 1)
	must(err)
	kinds := []string{}
	for _, update := range history {
		kinds = append(kinds, update.Kind+" "+update.Result)
	}
	saw("history", kinds)
	destroyed, err := stack.Destroy(ctx)
	must(err)
	saw("destroy", map[string]any{"result": destroyed.Summary.Result, "changes": destroyed.Summary.ResourceChanges})
	must(stack.Workspace().RemoveStack(ctx, "dev"))
	saw("stacks at the end", names(ctx, stack.Workspace()))
}

func inline(ctx context.Context, command auto.PulumiCommand) {
	program := func(ctx *pulumi.Context) error {
		ctx.Export("answer", pulumi.Int(42))
		ctx.Export("word", pulumi.ToSecret(pulumi.String("hush")))
		return nil
	}
	stack, err := auto.UpsertStackInlineSource(ctx, "dev", "inline", program, auto.Pulumi(command))
	must(err)
	up, err := stack.Up(ctx)
	must(err)
	saw("inline up", map[string]any{"changes": up.Summary.ResourceChanges, "outputs": outputs(up.Outputs)})
	preview, err := stack.Preview(ctx)
	must(err)
	saw("inline preview", preview.ChangeSummary)
	stack.Workspace().SetProgram(func(*pulumi.Context) error { return fmt.Errorf("no luck") })
	_, err = stack.Up(ctx)
	saw("inline error", err != nil && strings.Contains(err.Error(), "no luck"))
	_, err = stack.Destroy(ctx)
	must(err)
	must(stack.Workspace().RemoveStack(ctx, "dev"))
}

func main() {
	ctx := context.Background()
	command, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: os.Args[1], SkipVersionCheck: true})
	must(err)
	local(ctx, command, os.Args[2])
	inline(ctx, command)
}
