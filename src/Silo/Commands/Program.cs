using ConvNet.Silo.Commands;
using ConvNet.Silo.Processes;

const string Name = "convnet-silo";

using StreamWriter output = StandardStream.Open(1, Console.IsOutputRedirected);
using StreamWriter error = StandardStream.Open(2, Console.IsErrorRedirected);
bool isAscii = !Console.IsOutputRedirected && !StandardStream.ShowsUnicode(Environment.GetEnvironmentVariable);
using var messages = new PrintableWriter(error, isAscii);
return await new ProgramRun(SiloCommand.CreateRoot(Name, new PrintableWriter(output, isAscii), messages), Name, output, messages).RunAsync(args);
