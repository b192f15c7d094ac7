using ConvNet.Client.Views;
using Xunit;

namespace ConvNet.Client.Tests.Views;

public sealed class FullScreenTests
{
    [Fact]
    public void The_window_is_taken_with_the_first_frame_and_given_back_at_the_end()
    {
        using var screen = new FakeScreen(20, 4);
        using var window = new FullScreen(screen.Terminal(TextWriter.Null));
        Assert.False(screen.IsAlternate);

        window.Show([ScreenRow.Of("one"), ScreenRow.Of("two")], screen.Size);
        Assert.True(screen.IsAlternate && screen.IsCursorHidden);
        window.Show([ScreenRow.Of("1")], screen.Size);
        Assert.Equal(["1", "", "", ""], screen.Rows);

        window.Dispose();
        window.Show([ScreenRow.Of("late")], screen.Size);
        Assert.False(screen.IsAlternate || screen.IsCursorHidden);
        Assert.DoesNotContain("late", screen.Text);
    }

    [Fact]
    public void A_frame_that_changes_nothing_is_not_written_unless_the_window_has_another_size()
    {
        using var screen = new FakeScreen(20, 4);
        using var window = new FullScreen(screen.Terminal(TextWriter.Null));
        window.Show([ScreenRow.Of("one")], screen.Size);
        int writes = screen.Writes;

        window.Show([ScreenRow.Of("one")], screen.Size);
        Assert.Equal(writes, screen.Writes);
        window.Show([ScreenRow.Of("one")], new ScreenSize(19, 4));
        Assert.NotEqual(writes, screen.Writes);
    }

    [Fact]
    public void Rows_that_do_not_fit_are_cut_or_left_out()
    {
        using var screen = new FakeScreen(10, 2);
        using var window = new FullScreen(screen.Terminal(TextWriter.Null));

        window.Show([ScreenRow.Of("a long row that is cut"), ScreenRow.Of("b"), ScreenRow.Of("c")], screen.Size);

        Assert.Equal(["a long ro", "b"], screen.Rows);
        Assert.Equal(0, screen.BrokenLines);
        Assert.Empty(screen.ScrolledAway);
    }
}
