using System.Net;
using ConvNet.Client.Cluster;
using ConvNet.Engine.Errors;
using ConvNet.Grains.Calls;
using ConvNet.Grains.Contracts;
using ConvNet.Grains.Contracts.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Xunit;

namespace ConvNet.Cluster.Tests;

/// <summary>A way into the cluster that is frozen while all its silos live, so that none of them is ever declared dead.</summary>
public sealed class SilentGatewayTests(SiloFleet fleet) : IClassFixture<SiloFleet>
{
    private const int Grains = 16;

    [Fact]
    public async Task Calls_that_time_out_name_the_gateway_that_is_silent_and_their_repeats_go_through_another()
    {
        await fleet.HaveWorkersAsync("worker-1");
        using var relay = new FreezingRelay(fleet.GatewayOf("worker-1"));
        using IHost host = await ConnectAsync(relay.Endpoint, new IPEndPoint(IPAddress.Loopback, fleet.Gateway));
        IJobGrain[] jobs = [.. Enumerable.Range(0, Grains).Select(i => host.Services.GetRequiredService<IClusterClient>().GetGrain<IJobGrain>($"job-{i}"))];

        // Each of them is asked through one gateway or the other, and has no job to tell of.
        await AssertAnsweredAsync(jobs);
        await relay.FreezeAsync();
        Exception?[] lost = await Task.WhenAll(jobs.Select(job => Record.ExceptionAsync(() => job.StatusAsync(new StatusQuery())).AsTask()));
        await AssertAnsweredAsync(jobs);

        UnansweredCallException[] silent = [.. lost.OfType<UnansweredCallException>()];
        Assert.NotEmpty(silent);
        Assert.All(silent, call => Assert.Matches($"^no answer from gateway {relay.Endpoint} since \\d\\d:\\d\\d:\\d\\d; the other 1 answer", call.Message));
        fleet.AssertAllRun();
    }

    private static Task AssertAnsweredAsync(IJobGrain[] jobs) => Task.WhenAll(jobs.Select(async (job, i) =>
    {
        var contact = new ClusterContact(() => $"job {i}", TimeProvider.System);
        ConvNetException answer = await Assert.ThrowsAsync<ConvNetException>(() => contact.AskAsync(() => job.StatusAsync(new StatusQuery())));
        Assert.Equal(ExitCode.BadInput, answer.ExitCode);
    }));

    private static async Task<IHost> ConnectAsync(params IPEndPoint[] gateways)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleansClient(client =>
        {
            client.UseStaticClustering(gateways);
            client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("convnet", "convnet"));
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(1));
            AnsweringGateways.Use(client);
        });
        IHost host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }
}
