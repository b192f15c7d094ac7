using ConvNet.Client.Views;
using ConvNet.Grains.Contracts.Jobs;
using Spectre.Console;

namespace ConvNet.Client.Monitor;

/// <summary>
/// Where somebody is in the monitor, and what the screen shows there: the cluster's jobs, workers and silos, or one job with its curves, workers,
/// servers and events. Keys and pictures go in, rows come out.
/// </summary>
/// <param name="cluster">Its URL.</param>
internal sealed class MonitorScreen(Terminal terminal, string cluster)
{
    private static readonly Pane[] ClusterPanes = [Pane.Jobs, Pane.AllWorkers, Pane.Silos];
    private static readonly Pane[] JobPanes = [Pane.Curves, Pane.Workers, Pane.Servers, Pane.Events];
    private static readonly Style Bold = new(decoration: Decoration.Bold);

    private readonly Glyphs _glyphs = Glyphs.For(terminal);
    private ClusterPicture _picture = ClusterPicture.Empty;
    private Pane _clusterPane = Pane.Jobs;
    private Pane _jobPane = Pane.Curves;
    private string? _selected;
    private int _scrolled;
    private JobStatus? _opened;
    private JobCurves _curves = JobCurves.Empty;

    /// <summary>The id of the job that is open; null: none is.</summary>
    public string? OpenJob { get; private set; }

    /// <summary>Somebody wants to leave.</summary>
    public bool HasQuit { get; private set; }

    private Pane Shown => OpenJob is null ? _clusterPane : _jobPane;

    private IReadOnlyList<string> Ids => _picture.Ids;

    private MonitorTables Tables => new(terminal, _picture);

    /// <summary>Takes what is known now.</summary>
    public void Take(ClusterPicture picture)
    {
        int place = IndexOfSelected();
        _picture = picture;
        if (_selected is null || !Ids.Contains(_selected))
        {
            _selected = Ids.Count == 0 ? null : Ids[Math.Clamp(place, 0, Ids.Count - 1)];
        }

        if (OpenJob is not null && _picture.Find(OpenJob) is { } status)
        {
            _opened = status;
        }

        if (OpenJob is not null && picture.OpenJob == OpenJob)
        {
            _curves = picture.Curves;
        }
    }

    public void Press(MonitorKey key)
    {
        switch (key)
        {
            case MonitorKey.Quit:
                HasQuit = true;
                break;
            case MonitorKey.Up or MonitorKey.Down or MonitorKey.First or MonitorKey.Last:
                Move(key);
                break;
            case MonitorKey.NextPane or MonitorKey.PreviousPane:
                Turn(key == MonitorKey.NextPane ? 1 : -1);
                break;
            case MonitorKey.Open when OpenJob is null && _clusterPane == Pane.Jobs && _selected is not null:
                (OpenJob, _opened, _curves, _scrolled) = (_selected, _picture.Find(_selected), JobCurves.Empty, 0);
                break;
            case MonitorKey.Back:
                (OpenJob, _opened, _scrolled) = (null, null, 0);
                break;
        }
    }

    /// <summary>As many rows as the size has, or fewer.</summary>
    public IReadOnlyList<ScreenRow> Rows(ScreenSize size)
    {
        int columns = size.LineColumns;
        List<ScreenRow> head = [.. Notices(columns), Tabs(columns)];
        head.InsertRange(0, OpenJob is null ? [ClusterTitle(columns)] : JobHead(OpenJob, columns));
        ScreenRow foot = ScreenRow.Of(Keys(columns), Color.Grey);
        int room = size.Rows - head.Count - 1;
        if (room < 1)
        {
            return [.. head.Take(Math.Max(0, size.Rows - 1)), foot];
        }

        List<ScreenRow> pane = [.. PaneRows(columns, room).Take(room)];
        return [.. head, .. pane, .. Enumerable.Repeat(ScreenRow.Empty, room - pane.Count), foot];
    }

    private ScreenRow ClusterTitle(int columns)
    {
        int devices = _picture.Silos.Sum(silo => silo.Devices), jobs = Ids.Count;
        return ScreenRow.Of(
            Field.Join(
                columns,
                new Field(Cut(cluster, Math.Max(16, columns / 2)), 1),
                new Field(Counted(_picture.Silos.Count, "silo"), 2),
                new Field($"{BusyDevice.Of(_picture.Jobs).Count()}/{devices} devices busy", 3),
                new Field(Counted(jobs, "job"), 0)),
            Bold);
    }

    private IEnumerable<ScreenRow> JobHead(string id, int columns)
    {
        if (_opened is not { } job)
        {
            return [ScreenRow.Of(Cut(id, columns), Bold)];
        }

        JobStatus withoutWorkers = job with { Workers = [] };
        return
        [
            ScreenRow.Of(Cut($"{id}  {job.Model} on {job.Data}", columns), Bold),
            .. StatusPanel.Rows(terminal, withoutWorkers, columns, StatusPanel.FixedRows),
            ScreenRow.Of(Cut(Lines.Tested(job) + Lines.Why(job), columns), job.State == JobState.Failed ? Color.Red : null),
        ];
    }

    /// <summary>What is not as it should be.</summary>
    private IEnumerable<ScreenRow> Notices(int columns)
    {
        if (_picture.Trouble is { } trouble)
        {
            foreach (string line in ScreenText.Wrap(terminal.Printable(trouble.Sentence), columns).Take(2))
            {
                yield return ScreenRow.Of(Cut(line, columns), Color.Red);
            }
        }
        else if (_picture.IsBack)
        {
            yield return ScreenRow.Of(Cut("The cluster answers again.", columns), Color.Green);
        }

        if (OpenJob is not null && _picture.Trouble is null && !Ids.Contains(OpenJob))
        {
            yield return ScreenRow.Of(Cut("The cluster no longer knows this job; this is what it said last.", columns), Color.Red);
        }
        else if (OpenJob is not null && _picture.Trouble is null && _picture.Silent.Contains(OpenJob))
        {
            yield return ScreenRow.Of(Cut("The job does not answer.", columns), Color.Red);
        }
    }

    private ScreenRow Tabs(int columns)
    {
        ScreenRow row = ScreenRow.Empty;
        int used = 0;
        foreach (Pane pane in OpenJob is null ? ClusterPanes : JobPanes)
        {
            string name = pane == Pane.AllWorkers ? $"{Pane.Workers}" : $"{pane}";
            string text = pane == Shown ? $"[{name}] " : $" {name}  ";
            used += text.Length;
            if (used <= columns)
            {
                row.Add(text, pane == Shown ? Bold : Color.Grey);
            }
        }

        return row;
    }

    private string Keys(int columns) => terminal.ReadKey is null
        ? "Ctrl-C quits"
        : Field.Join(
            columns,
            new Field(Shown == Pane.Curves ? "" : $"{_glyphs.Arrows} {(Shown == Pane.Jobs ? "choose" : "scroll")}", 2),
            new Field(OpenJob is not null ? "Esc back" : Shown == Pane.Jobs ? "Enter open" : "", 1),
            new Field("Tab pane", 3),
            new Field("q quit", 0));

    private IEnumerable<ScreenRow> PaneRows(int columns, int rows) => Shown switch
    {
        Pane.Jobs => JobRows(columns, rows),
        Pane.AllWorkers => Scrolled(Tables.WorkersOfAll().Lines(columns), "No job has workers now.", rows),
        Pane.Silos => Scrolled(Tables.Silos().Lines(columns), "No silo is known yet.", rows),
        Pane.Curves => CurveRows(columns, rows),
        Pane.Workers => Scrolled(Tables.WorkersOf(_opened).Lines(columns), "The job has no workers.", rows),
        Pane.Servers => Scrolled(Tables.ServersOf(_opened).Lines(columns), "The job has no servers.", rows),
        _ => Lasts(columns, rows),
    };

    private IEnumerable<ScreenRow> JobRows(int columns, int rows)
    {
        IReadOnlyList<string> lines = Tables.Jobs().Lines(columns);
        if (lines.Count == TextTable.HeadRows)
        {
            return [ScreenRow.Of("No jobs.")];
        }

        int selected = IndexOfSelected(), room = rows - TextTable.HeadRows - 1;
        int first = Math.Clamp(selected - room / 2, 0, Math.Max(0, Ids.Count - room));
        string why = _selected is not null && _picture.Find(_selected) is { } job ? Lines.Why(job).Trim() : "";
        ScreenRow[] shown =
        [
            .. lines.Take(TextTable.HeadRows).Select(line => ScreenRow.Of(line)),
            .. lines.Skip(TextTable.HeadRows).Index().Skip(first).Take(Math.Max(0, room))
                .Select(line => line.Index == selected ? ScreenRow.Of($">{line.Item[1..]}", Bold) : ScreenRow.Of(line.Item)),
        ];
        return [.. shown, .. Enumerable.Repeat(ScreenRow.Empty, Math.Max(0, rows - 1 - shown.Length)), ScreenRow.Of(Cut(why, columns), Color.Yellow)];
    }

    /// <summary>Loss and accuracy, below each other or side by side; below them the workers, where the screen is high enough for both.</summary>
    private IEnumerable<ScreenRow> CurveRows(int columns, int rows)
    {
        const int highPane = 24, widePane = 100, gap = 2;
        string none = _opened is { HasEnded: true } && !_curves.IsReading ? "the job's steps are no longer kept" : "no steps yet";
        var loss = new CurveChart("loss", _curves.TrainLoss, _curves.TestLoss, none);
        var accuracy = new CurveChart("accuracy", _curves.TrainAccuracy, _curves.TestAccuracy, none);
        IReadOnlyList<string> workers = rows >= highPane ? Tables.WorkersOf(_opened).Lines(columns) : [];
        int ofWorkers = workers.Count > TextTable.HeadRows ? Math.Min(workers.Count, rows / 3) : 0;
        int left = ofWorkers > 0 ? rows - ofWorkers - 1 : rows;
        List<ScreenRow> drawn;
        if (columns >= widePane)
        {
            int half = (columns - gap) / 2;
            drawn = [.. ScreenRow.Beside(loss.Rows(_glyphs, half, left), accuracy.Rows(_glyphs, half, left), half + gap)];
        }
        else
        {
            drawn = [.. loss.Rows(_glyphs, columns, (left + 1) / 2), .. accuracy.Rows(_glyphs, columns, left / 2)];
        }

        drawn.AddRange(Enumerable.Repeat(ScreenRow.Empty, Math.Max(0, left - drawn.Count)));
        return ofWorkers == 0 ? drawn : [.. drawn, ScreenRow.Empty, .. workers.Take(ofWorkers).Select(line => ScreenRow.Of(line))];
    }

    /// <summary>A heading, and the rows from where somebody has scrolled to.</summary>
    private IEnumerable<ScreenRow> Scrolled(IReadOnlyList<string> lines, string empty, int rows)
    {
        int count = lines.Count - TextTable.HeadRows;
        if (count == 0)
        {
            return [ScreenRow.Of(empty)];
        }

        _scrolled = Math.Clamp(_scrolled, 0, Math.Max(0, count - (rows - TextTable.HeadRows)));
        return lines.Take(TextTable.HeadRows).Concat(lines.Skip(TextTable.HeadRows + _scrolled)).Take(rows).Select(line => ScreenRow.Of(line));
    }

    /// <summary>The last events at the bottom, unless somebody has scrolled up.</summary>
    private IEnumerable<ScreenRow> Lasts(int columns, int rows)
    {
        string[] lines = [.. _curves.Events.SelectMany(happened => ScreenText.Wrap(terminal.Printable(happened), columns))];
        _scrolled = Math.Clamp(_scrolled, -Math.Max(0, lines.Length - rows), 0);
        return lines.Length == 0
            ? [ScreenRow.Of("Nothing has happened yet.")]
            : lines.SkipLast(-_scrolled).TakeLast(rows).Select(line => ScreenRow.Of(line));
    }

    private void Move(MonitorKey key)
    {
        int count = Ids.Count;
        if (Shown == Pane.Jobs)
        {
            int place = key switch
            {
                MonitorKey.Up => IndexOfSelected() - 1,
                MonitorKey.Down => IndexOfSelected() + 1,
                MonitorKey.First => 0,
                _ => count - 1,
            };
            _selected = count == 0 ? null : Ids[Math.Clamp(place, 0, count - 1)];
            return;
        }

        const int far = int.MaxValue / 2;
        _scrolled = key switch
        {
            MonitorKey.Up => _scrolled - 1,
            MonitorKey.Down => _scrolled + 1,
            MonitorKey.First => -far,
            _ => far,
        };
    }

    private void Turn(int by)
    {
        Pane[] panes = OpenJob is null ? ClusterPanes : JobPanes;
        Pane next = panes[(Array.IndexOf(panes, Shown) + by + panes.Length) % panes.Length];
        (_clusterPane, _jobPane, _scrolled) = OpenJob is null ? (next, _jobPane, 0) : (_clusterPane, next, 0);
    }

    private int IndexOfSelected() => Math.Max(0, Ids.Index().FirstOrDefault(id => id.Item == _selected).Index);

    private static string Counted(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    private string Cut(string text, int columns) => ScreenText.Cut(terminal.Printable(text), columns, _glyphs);
}
