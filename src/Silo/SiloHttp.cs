using System.Diagnostics.Metrics;
using System.Net;
using System.Reflection;
using System.Text.Json;
using ConvNet.Grains.Metering;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace ConvNet.Silo;

/// <summary>
/// Answers over HTTP how a silo fares: GET /health/live (200 as long as the process answers), /health/ready (200 or 503, with the reason) and /metrics
/// in the text format of Prometheus.
/// </summary>
internal sealed class SiloHttp : IAsyncDisposable
{
    private const int MaxConnections = 64;
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);

    private readonly WebApplication _web;
    private readonly Meter _meter;

    private SiloHttp(WebApplication web, Meter meter) => (_web, _meter) = (web, meter);

    /// <summary>Listens at a port that is known to be free.</summary>
    public static async Task<SiloHttp> StartAsync(ConvNetSiloOptions options, int port, Readiness readiness, CancellationToken cancellation)
    {
        Meter meter = MeterOf(options);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.RequestHeadersTimeout = HeadersTimeout;
            kestrel.Listen(new IPEndPoint(options.Ports.Listen, port));
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(WorkMeter.Name, "Microsoft.Orleans", "System.Runtime")
            .AddPrometheusExporter());
        WebApplication web = builder.Build();
        web.MapGet("/health/live", context => AnswerAsync(context, options.Name, null));
        web.MapGet("/health/ready", context => AnswerAsync(context, options.Name, readiness.Trouble));
        web.MapPrometheusScrapingEndpoint();
        await web.StartAsync(cancellation);
        return new SiloHttp(web, meter);
    }

    public async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        _meter.Dispose();
    }

    private static Task AnswerAsync(HttpContext context, string silo, string? trouble)
    {
        context.Response.StatusCode = trouble is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(new { silo, ok = trouble is null, reason = trouble }) + "\n");
    }

    private static Meter MeterOf(ConvNetSiloOptions options)
    {
        var meter = new Meter(WorkMeter.Name);
        int workers = options.Workers ? options.Devices : 0;
        meter.CreateObservableGauge(
            "convnet.workers",
            () => new Measurement<int>[]
            {
                new(WorkMeter.Busy, new KeyValuePair<string, object?>("state", "busy")),
                new(Math.Max(0, workers - WorkMeter.Busy), new KeyValuePair<string, object?>("state", "free")),
            },
            description: "Workers of this silo.");
        string[] version = (typeof(SiloHttp).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "").Split('+', 2);
        meter.CreateObservableGauge(
            "convnet.build.info",
            () => new Measurement<int>(
                1, new KeyValuePair<string, object?>("version", version[0]), new KeyValuePair<string, object?>("commit", version.ElementAtOrDefault(1) ?? "")),
            description: "What this silo runs, always 1.");
        return meter;
    }
}
