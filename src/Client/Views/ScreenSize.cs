namespace ConvNet.Client.Views;

/// <summary>How much a terminal shows.</summary>
public readonly record struct ScreenSize(int Columns, int Rows)
{
    /// <summary>The size that every terminal program may expect.</summary>
    public static ScreenSize Usual { get; } = new(80, 24);

    /// <summary>What a line may fill: text in the very last column makes some terminals begin another row.</summary>
    public int LineColumns => Math.Max(1, Columns - 1);
}
