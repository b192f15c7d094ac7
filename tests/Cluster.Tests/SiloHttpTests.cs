using System.Net;
using System.Text.Json;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>Health and metrics of a silo process over HTTP.</summary>
public sealed class SiloHttpTests : IDisposable
{
    private const string Lost = "convnet_worker_failures_total{kind=\"lost\"}";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly HttpClient Web = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly TemporaryFolder _folder = new();
    private readonly int[] _ports = FreePorts.Take(4);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_silo_that_has_joined_is_ready_and_its_metrics_move_with_a_job()
    {
        string url = $"dev://127.0.0.1:{_ports[0]}?gateway={_ports[1]}";
        using ClientProcess silo = StartSilo(url, _ports[0]);
        await silo.SaysAsync("node-1 is in the cluster");

        Assert.Equal((HttpStatusCode.OK, true), await AskAsync("live"));
        Assert.Equal((HttpStatusCode.OK, true), await AskAsync("ready"));
        PrometheusText before = await MetricsAsync();
        using ClientProcess training = await ClientProcess.RunAsync(
            0, _folder.Path, "train", "--cluster", url, "--model", "lenet", "--steps", "20", "--batch", "100", "--workers", "2");
        PrometheusText after = await UntilAsync(
            metrics => metrics.Keys.Any(key => key.StartsWith("convnet_checkpoint_age_seconds{", StringComparison.Ordinal)));

        Assert.Equal((0, 2000), (before["convnet_samples_total{split=\"train\"}"], after["convnet_samples_total{split=\"train\"}"]));
        Assert.Equal(2000, after["convnet_samples_total{split=\"test\"}"]);
        Assert.Equal(40, after["convnet_step_duration_seconds_count{phase=\"compute\"}"]);
        Assert.Equal(40, after["convnet_step_duration_seconds_bucket{le=\"+Inf\",phase=\"wait\"}"]);
        Assert.True(after["convnet_step_duration_seconds_sum{phase=\"compute\"}"] > 0);
        foreach (string phase in new[] { "aggregate", "apply" })
        {
            Assert.Equal(2 * 20, after[$"convnet_step_duration_seconds_count{{phase=\"{phase}\"}}"]);
            Assert.True(after[$"convnet_step_duration_seconds_sum{{phase=\"{phase}\"}}"] > 0);
        }

        foreach (string cause in new[] { "batch_norm", "push", "pull" })
        {
            Assert.Equal(40, after[$"convnet_wait_duration_seconds_count{{for=\"{cause}\"}}"]);
            Assert.Equal(cause != "batch_norm", after[$"convnet_wait_duration_seconds_sum{{for=\"{cause}\"}}"] > 0);
        }

        // Both workers push all parameters once a step, and pull them once a step and once more for the evaluation.
        double bytes = after["convnet_gradient_bytes_total{direction=\"push\"}"] / 40;
        Assert.InRange(bytes, 100_000, 400_000);
        Assert.Equal(42 * bytes, after["convnet_gradient_bytes_total{direction=\"pull\"}"]);
        Assert.InRange(Figure(after, "convnet_checkpoint_age_seconds{", ""), 0, 600);
        Assert.Equal(2, before["convnet_workers{state=\"free\"}"]);
        Assert.Equal(2, after["convnet_workers{state=\"free\"}"] + after["convnet_workers{state=\"busy\"}"]);
        Assert.InRange(Figure(after, "convnet_loss{", "split=\"train\""), 0.1, 10);
        Assert.InRange(Figure(after, "convnet_accuracy_ratio{", "split=\"test\""), 0.01, 1);
        Assert.InRange(Figure(after, "convnet_learning_rate{", ""), 1e-9, 1);
        Assert.InRange(Figure(after, "convnet_gradient_norm{", ""), 1e-9, 1e6);
        Assert.Equal((0, 1), (before["convnet_generations_total"], after["convnet_generations_total"]));
        Assert.Equal(1, after["convnet_checkpoint_duration_seconds_count{phase=\"save\"}"]);
        Assert.InRange(after["convnet_checkpoint_bytes"], 300_000, 1_000_000);
        Assert.Single(after.Keys, key => key.StartsWith("convnet_build_info{", StringComparison.Ordinal));
        Assert.Contains(after.Keys, key => key.StartsWith("orleans_", StringComparison.Ordinal));
        Assert.Contains(after.Keys, key => key.StartsWith("dotnet_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_metrics_tell_of_a_worker_that_is_killed_and_of_steps_that_are_skipped()
    {
        string url = $"dev://127.0.0.1:{_ports[0]}?gateway={_ports[1]}";
        using ClientProcess silo = StartSilo(url, _ports[0]);
        await silo.SaysAsync("node-1 is in the cluster");
        int[] ports = FreePorts.Take(2);
        using ClientProcess victim = ClientProcess.Start(
            _folder.Path, "silo", "--name", "node-2", "--cluster", url, "--port", $"{ports[0]}", "--gateway", $"{ports[1]}", "--roles", "worker");
        await victim.SaysAsync("node-2 is in the cluster");
        using ClientProcess training = ClientProcess.Start(
            _folder.Path, "train", "--cluster", url, "--model", "lenet", "--steps", "200000", "--workers", "3", "-s", "checkpoint.everySteps=100");
        PrometheusText before = await UntilAsync(
            metrics => metrics.Keys.Any(key => key.StartsWith("convnet_checkpoint_age_seconds{", StringComparison.Ordinal)));
        victim.Kill();
        PrometheusText after = await UntilAsync(metrics => metrics["convnet_recovery_duration_seconds_count"] > 0);
        training.Terminate();
        await training.EndAsync(143);

        Assert.Equal((0, 1), (before[Lost], after[Lost]));
        Assert.Equal((0, 1), (before["convnet_recovery_duration_seconds_count"], after["convnet_recovery_duration_seconds_count"]));
        Assert.True(after["convnet_recovery_duration_seconds_sum"] > 0);
        Assert.True(after["convnet_checkpoint_duration_seconds_count{phase=\"save\"}"] > 0);

        using ClientProcess diverges = await ClientProcess.RunAsync(
            5, _folder.Path, "train", "--cluster", url, "--model", "lenet", "--steps", "20", "--learning-rate", "1e30");
        PrometheusText end = await UntilAsync(metrics => metrics["convnet_steps_skipped_total"] > 1);
        Assert.Equal(0, after["convnet_steps_skipped_total"]);
        Assert.InRange(end["convnet_steps_skipped_total"], 2, 3);
        Assert.Equal(1, end[Lost]);
    }

    [Fact]
    public async Task A_silo_that_waits_for_its_cluster_is_alive_but_not_ready()
    {
        using ClientProcess silo = StartSilo($"dev://127.0.0.1:{_ports[3]}", _ports[0]);
        await silo.ComplainsAsync("Waiting for the primary silo");

        Assert.Equal((HttpStatusCode.OK, true), await AskAsync("live"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, false), await AskAsync("ready"));
    }

    [Fact]
    public async Task A_port_that_is_given_twice_is_named()
    {
        using ClientProcess both = StartSilo($"dev://127.0.0.1:{_ports[2]}", _ports[2]);
        await both.EndAsync(3);

        Assert.Contains($"--http {_ports[2]} is also the port for silos", both.Error);
    }

    private ClientProcess StartSilo(string url, int port) => ClientProcess.Start(
        _folder.Path,
        "silo", "--name", "node-1", "--cluster", url, "--port", $"{port}", "--gateway", $"{_ports[1]}", "--http", $"{_ports[2]}", "--devices", "2");

    private async Task<(HttpStatusCode Status, bool Ok)> AskAsync(string question)
    {
        using HttpResponseMessage answer = await Web.GetAsync($"http://127.0.0.1:{_ports[2]}/health/{question}", TestContext.Current.CancellationToken);
        using JsonDocument body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("node-1", body.RootElement.GetProperty("silo").GetString());
        return (answer.StatusCode, body.RootElement.GetProperty("ok").GetBoolean());
    }

    private static double Figure(PrometheusText metrics, string name, string label) => metrics[
        Assert.Single(metrics.Keys, key => key.StartsWith(name, StringComparison.Ordinal) && key.Contains(label, StringComparison.Ordinal))];

    /// <summary>Waits until the metrics are as they should be.</summary>
    private async Task<PrometheusText> UntilAsync(Func<PrometheusText, bool> isSo)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (true)
        {
            PrometheusText metrics = await MetricsAsync();
            if (isSo(metrics))
            {
                return metrics;
            }

            await Task.Delay(50, deadline.Token);
        }
    }

    private async Task<PrometheusText> MetricsAsync() =>
        new(await Web.GetStringAsync($"http://127.0.0.1:{_ports[2]}/metrics", TestContext.Current.CancellationToken));
}
