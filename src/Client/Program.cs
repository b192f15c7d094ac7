Console.WriteLine("convnet");
