using ConvNet.Engine.Geometry;
using ConvNet.Engine.Layers;
using ConvNet.Engine.Models;
using Xunit;

namespace ConvNet.Engine.Tests.Models;

public class ModelTableTests
{
    [Fact]
    public void The_planning_table_adds_up()
    {
        IReadOnlyList<ModelRow> rows = ModelTable.Rows(new Model(ModelFile.Load("vgg11-bn"), BatchNormMode.Sync));
        Assert.Equal(9_228_362, rows.Sum(row => row.Parameters));
        Assert.Equal(1.0, rows.Sum(row => row.Share), 6);
        Assert.Equal("(32 - 3 + 2*1)/1 + 1 = 32", rows[0].Arithmetic);
        Assert.Equal(2L * 27 * 64 * 32 * 32, rows[0].Flops);
        Assert.Equal(new Size(150, 150), rows[^3].ReceptiveField);
        Assert.True(rows.Where(row => row.Type == "conv").Sum(row => row.Share) > 0.97);
    }

    [Fact]
    public void A_fully_connected_layer_sees_every_pixel_that_was_flattened()
    {
        IReadOnlyList<ModelRow> rows = ModelTable.Rows(new Model(ModelFile.Load("lenet"), BatchNormMode.Sync));
        Assert.Equal(new Size(16, 16), rows[6].ReceptiveField);
        Assert.Equal("16*5*5 = 400", rows[6].Arithmetic);
        Assert.Equal(new Size(32, 32), rows[7].ReceptiveField);
        Assert.Equal(new Size(32, 32), rows[^1].ReceptiveField);
    }

    [Fact]
    public void The_planning_table_follows_both_branches_of_a_residual_block()
    {
        IReadOnlyList<ModelRow> rows = ModelTable.Rows(new Model(ModelFile.Load("resnet20"), BatchNormMode.Sync));
        ModelRow block = rows.Single(row => row.Name == "6");
        Assert.Equal("residual", block.Type);
        Assert.Equal(new Shape(32, 16, 16), block.Output);
        Assert.Equal(new Size(21, 21), block.ReceptiveField);
        Assert.Contains(rows, row => row.Name == "6.shortcut.0" && row.ReceptiveField == new Size(15, 15));
    }
}
