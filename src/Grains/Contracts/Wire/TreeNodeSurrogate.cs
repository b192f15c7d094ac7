using ConvNet.Engine.Reduction;

namespace ConvNet.Grains.Contracts.Wire;

/// <summary>A <see cref="TreeNode"/> as it travels.</summary>
[GenerateSerializer, Immutable, Alias("ConvNet.TreeNode")]
internal readonly record struct TreeNodeSurrogate([property: Id(0)] int Level, [property: Id(1)] int Index);

[RegisterConverter]
internal sealed class TreeNodeConverter : IConverter<TreeNode, TreeNodeSurrogate>
{
    public TreeNode ConvertFromSurrogate(in TreeNodeSurrogate surrogate) => new(surrogate.Level, surrogate.Index);

    public TreeNodeSurrogate ConvertToSurrogate(in TreeNode value) => new(value.Level, value.Index);
}
