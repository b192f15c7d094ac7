namespace ConvNet.Client.Views;

/// <summary>A column of a <see cref="TextTable"/>.</summary>
/// <param name="Rank">Columns of higher ranks give way first where the table is too wide; those of rank 0 never.</param>
/// <param name="IsNumber">Aligned to the right.</param>
internal sealed record Column(string Heading, int Rank, bool IsNumber = true);
