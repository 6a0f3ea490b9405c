System.Console.WriteLine("plinth-agent");
