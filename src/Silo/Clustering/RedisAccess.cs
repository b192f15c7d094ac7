using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using ConvNet.Engine.Errors;
using ConvNet.Silo.Security;
using StackExchange.Redis;

namespace ConvNet.Silo.Clustering;

/// <summary>How to connect to the Redis of a cluster.</summary>
/// <param name="trust">For TLS, or null.</param>
/// <param name="passwordFile">Null: without a password.</param>
internal sealed class RedisAccess(string host, int port, RedisTrust? trust, string? passwordFile)
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(3);

    private readonly string? _password = passwordFile is null ? null : RedisPassword.Read(passwordFile);

    public string Endpoint { get; } = $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}";

    /// <summary>Checks that Redis answers, is the one that is meant, and takes the password.</summary>
    /// <returns>Whether it lets in those who have no password.</returns>
    /// <exception cref="ConvNetException">It does not answer (exit code 4), is not to be trusted, or does not let us in (8).</exception>
    public async Task<bool> IsOpenAsync(CancellationToken cancellation)
    {
        if (await LetsInAsync(null).WaitAsync(cancellation))
        {
            return true;
        }

        if (_password is null)
        {
            throw new ConvNetException(
                ExitCode.NotAuthorised, $"Redis at {Endpoint} asks for a password; name a file with it in --redis-password-file.");
        }

        return await LetsInAsync(_password).WaitAsync(cancellation) ? false : throw new ConvNetException(
            ExitCode.NotAuthorised, $"Redis at {Endpoint} refuses the password in '{passwordFile}'; correct the file, or the URL of --cluster.");
    }

    public ConfigurationOptions Options() => Options(_password, (certificate, chain, errors) => trust!.Refuse(certificate, chain, errors) is null);

    /// <summary>Whether Redis takes a password, or null for none.</summary>
    private async Task<bool> LetsInAsync(string? password)
    {
        string? refusal = null;
        bool isTrusted = false;
        ConfigurationOptions options = Options(password, (certificate, chain, errors) =>
        {
            refusal = trust!.Refuse(certificate, chain, errors);
            isTrusted = refusal is null;
            return isTrusted;
        });
        try
        {
            await using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(options);
            await redis.GetDatabase().PingAsync();
            return true;
        }
        catch (Exception e) when (e is RedisException or TimeoutException && refusal is not null)
        {
            throw new ConvNetException(
                ExitCode.NotAuthorised, $"Redis at {Endpoint} is not to be trusted: {refusal}. Give it another certificate, or correct --cluster.", e);
        }
        catch (RedisConnectionException e) when (e.FailureType == ConnectionFailureType.AuthenticationFailure)
        {
            return false;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            throw await IsSiloAsync()
                ? new ConvNetException(
                    ExitCode.Environment,
                    $"{Endpoint} is a port of a silo, not Redis; name the --cluster that the silo was given: redis://HOST:PORT?id=NAME with host and port of " +
                    "its Redis, or dev://HOST:PORT for a cluster without one.",
                    e)
                : new ConvNetException(ExitCode.Environment, $"Redis at {Endpoint} cannot be reached{Advise(e, isTrusted)}.", e);
        }
    }

    private async Task<bool> IsSiloAsync()
    {
        var endpoint = new IPEndPoint(HostLookup.FindMachine(host, $"'{Endpoint}'"), port);
        return await PortQuestion.AskAsync(endpoint, CancellationToken.None) is PortQuestion.SiloPort or PortQuestion.Gateway or PortQuestion.GatewayInStore;
    }

    private ConfigurationOptions Options(string? password, Func<X509Certificate2?, X509Chain?, SslPolicyErrors, bool> accepts)
    {
        var options = new ConfigurationOptions
        {
            EndPoints = { { host, port } },
            Ssl = trust is not null,
            SslHost = trust is null ? null : host,
            Password = password,
            ClientName = "convnet",
            ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds,
            ConnectRetry = 1,
        };
        if (trust is not null)
        {
            options.SslClientAuthenticationOptions = _ => trust.Options();
            options.CertificateValidation += (_, certificate, chain, errors) => accepts(certificate as X509Certificate2, chain, errors);
        }

        return options;
    }

    private string Advise(Exception e, bool isTrusted)
    {
        string check = (trust, isTrusted) switch
        {
            (null, _) => "check that it runs there without TLS (rediss:// in --cluster means with it)",
            (_, true) => "it has shown its certificate, and taken nothing: " +
                "if it demands one of its clients (tls-auth-clients), name the folder with yours in --tls",
            _ => "check that it runs there with TLS (tls-port; redis:// in --cluster means without it)",
        };
        return $"{(trust is null ? "" : " over TLS")} ({Reason(e)}); {check}, that nothing is in between, or correct the URL of --cluster";
    }

    private static string Reason(Exception e) => e switch
    {
        RedisConnectionException { FailureType: ConnectionFailureType.UnableToConnect } => $"no answer within {ConnectTimeout.TotalSeconds:F0} s, or refused",
        RedisConnectionException { FailureType: var failure } => failure.ToString(),
        TimeoutException => "it does not answer in time",
        _ => e.Message.TrimEnd('.'),
    };
}
