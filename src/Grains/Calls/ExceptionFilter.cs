using ConvNet.Engine.Errors;

namespace ConvNet.Grains.Calls;

/// <summary>
/// Turns every <see cref="ConvNetException"/> that leaves a grain into a <see cref="JobException"/>, the only one of the two that can
/// travel between silos.
/// </summary>
internal sealed class ExceptionFilter : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
        }
        catch (ConvNetException e)
        {
            throw JobException.From(e);
        }
    }
}
