using ConvNet.Engine.Bench;

switch (args)
{
    case ["convolutions", ..]:
        ConvolutionTable.Print(threads: Argument(1, 1), batch: Argument(2, 64));
        return 0;
    case ["normalization"]:
        NormalizationTable.Print();
        return 0;
    default:
        Console.Error.WriteLine("usage: Engine.Bench convolutions [THREADS] [BATCH] | normalization");
        return 2;
}

int Argument(int index, int otherwise) => args.Length > index ? int.Parse(args[index]) : otherwise;
