using ConvNet.Grains.Contracts.Jobs;
using ConvNet.Grains.Runs;

namespace ConvNet.Client.Views;

/// <summary>With --json, standard output belongs to the events: a person sees only answers and the error, on standard error.</summary>
/// <param name="error">Standard error.</param>
internal sealed class QuietView(TextWriter error) : RunSink
{
    public override void Handle(RunEvent happened)
    {
        switch (happened)
        {
            case RunEvent.Notice notice:
                error.WriteLine(notice.Message);
                break;
            case RunEvent.Failed failed:
                error.WriteLine($"error: {failed.Error}");
                break;
        }
    }
}
