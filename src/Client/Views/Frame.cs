using Spectre.Console.Rendering;

namespace ConvNet.Client.Views;

/// <summary>A picture that is ready to be written, its cursor movements included.</summary>
internal sealed class Frame(IReadOnlyList<Segment> segments) : Renderable
{
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => segments;
}
