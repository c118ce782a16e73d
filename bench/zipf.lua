-- Asks for the paths of a file, one a line, in their order, each thread from another place in it.
local paths, at = {}, 0
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    for line in io.lines(args[1]) do
        paths[#paths + 1] = wrk.format("GET", line)
    end
    at = math.floor(#paths / 7 * (number + 1))
end

function request()
    at = at % #paths + 1
    return paths[at]
end
