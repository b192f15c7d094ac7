using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace ConvNet.Silo.Security;

/// <summary>
/// Stands before one port of a silo: a peer has some seconds to prove who it is, costs little until then, and neither connections nor messages
/// that have begun grow without a bound.
/// </summary>
/// <param name="port">What the log calls it, and who asks.</param>
/// <param name="isTls">Whether peers have to speak TLS here.</param>
internal sealed class ConnectionGate(string port, bool isTls, WireLimits limits, PendingMessages pending, RefusalLog refusals, WireMemory memory)
{
    /// <summary>The first byte of each TLS connection, and the second.</summary>
    private const byte TlsHandshake = 0x16, TlsMajorVersion = 3;

    private readonly Lock _lock = new();
    private readonly LinkedList<Admission> _unproven = [];
    private int _connections;

    /// <param name="secure">Puts TLS in between, or null.</param>
    public void Use(IConnectionBuilder connection, Action<IConnectionBuilder>? secure)
    {
        connection.Use(next => context => AdmitAsync(context, next));
        secure?.Invoke(connection);
        connection.Use(next => context => GuardAsync(context, next));
    }

    private async Task AdmitAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var admission = new Admission(context);
        if (!Enter(admission))
        {
            refusals.Tell(port, context.RemoteEndPoint, $"{limits.Connections} connections are open, as many as are allowed");
            context.Abort();
            return;
        }

        using var deadline = new CancellationTokenSource(limits.ProofTime);
        using CancellationTokenRegistration late = deadline.Token.Register(() => EndUnproven(
            admission, $"it has not proved who it is within {limits.ProofTime.TotalSeconds:F0} s"));
        context.Features.Set(admission);
        try
        {
            if (await SpeaksAsIsDueAsync(context, admission))
            {
                PeerTrial.Current = admission.Trial;
                await next(context);
            }
        }
        catch (Exception e) when (!admission.IsProven)
        {
            // What Orleans says of the first words of a peer, e.g. that it is of another cluster.
            admission.End(e.Message.TrimEnd('.'));
        }
        finally
        {
            Leave(admission);
            memory.EndConnection();
            if (admission is { IsGreeted: false, Reason: { } reason })
            {
                refusals.Tell(port, context.RemoteEndPoint, reason);
            }
        }
    }

    /// <summary>Whether the first bytes are those of TLS where it is demanded, or of Orleans where it is not.</summary>
    private async Task<bool> SpeaksAsIsDueAsync(ConnectionContext context, Admission admission)
    {
        PipeReader input = context.Transport.Input;
        ReadResult first = await input.ReadAsync();
        if (first.Buffer.IsEmpty || first.IsCanceled)
        {
            return false;
        }

        if (PortQuestion.IsIn(first.Buffer))
        {
            input.AdvanceTo(first.Buffer.End);
            await PortQuestion.AnswerAsync(context, port);
            return false;
        }

        byte[] start = new byte[3];
        int length = (int)Math.Min(first.Buffer.Length, start.Length);
        System.Buffers.BuffersExtensions.CopyTo(first.Buffer.Slice(0, length), start);
        input.AdvanceTo(first.Buffer.Start);
        bool begins = start[0] == TlsHandshake && (isTls || (start[1] == TlsMajorVersion && start[2] > 0));
        if (begins == isTls)
        {
            return true;
        }

        admission.End(isTls ? "it does not speak TLS, which this silo demands" : "it speaks TLS, and this silo was started without --tls");
        return false;
    }

    private async Task GuardAsync(ConnectionContext context, ConnectionDelegate next)
    {
        Admission admission = context.Features.Get<Admission>()!;
        IDuplexPipe transport = context.Transport;
        PendingMessage message = pending.Open(admission.End);
        var input = new GuardedReader(transport.Input, (kept, hasUsed) =>
        {
            if (hasUsed && !admission.IsProven)
            {
                Prove(admission);
            }

            pending.Report(message, kept, hasUsed);
        });
        try
        {
            context.Transport = new Duplex(input, transport.Output);
            await next(context);
        }
        finally
        {
            pending.Close(message);
            context.Transport = transport;
        }
    }

    private bool Enter(Admission admission)
    {
        Admission? oldest = null;
        lock (_lock)
        {
            if (_connections >= limits.Connections)
            {
                return false;
            }

            _connections++;
            _unproven.AddLast(admission);
            if (_unproven.Count > limits.Unproven)
            {
                oldest = _unproven.First!.Value;
                _unproven.RemoveFirst();
            }
        }

        oldest?.End($"more than {limits.Unproven} connections have not proved yet who they are, and it is the oldest of them");
        return true;
    }

    private void Prove(Admission admission)
    {
        lock (_lock)
        {
            admission.IsProven = true;
            _unproven.Remove(admission);
        }
    }

    private void EndUnproven(Admission admission, string reason)
    {
        if (!admission.IsProven)
        {
            admission.End(reason);
        }
    }

    private void Leave(Admission admission)
    {
        lock (_lock)
        {
            _connections--;
            _unproven.Remove(admission);
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
