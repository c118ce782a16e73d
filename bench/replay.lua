-- For wrk: sends the very bytes of a file, or of several in turn, and reports as one line of JSON.
-- wrk asks for the request once, where no global `request` is defined, so that with one file the script costs nothing
-- while it runs.
function init(args)
    local requests, at = {}, 0
    for i, path in ipairs(args) do
        local file = assert(io.open(path, "rb"))
        requests[i] = file:read("*a")
        file:close()
    end
    wrk.format = function()
        at = at % #requests + 1
        return requests[at]
    end
    if #requests > 1 then
        request = wrk.format
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests": %d, "seconds": %.6f, "p50_us": %.1f, "p90_us": %.1f, "p99_us": %.1f, "max_us": %.1f, ' ..
        '"errors": {"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(90),
        latency:percentile(99), latency.max, errors.connect, errors.read, errors.write, errors.status,
        errors.timeout))
end
