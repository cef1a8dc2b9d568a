import asyncio
import os
import time

import tornado.log
import tornado.web

import script

tornado.log.enable_pretty_logging()
slots = asyncio.Semaphore(script.LIMIT)


class Complete(tornado.web.RequestHandler):
    def check_xsrf_cookie(self):
        pass

    async def get(self):
        bug = script.BUG
        if bug == "status" and script.hit():
            raise tornado.web.HTTPError(503)
        if bug == "redirect":
            return self.redirect("/login")
        if bug == "block":
            time.sleep(0.3)
        self.set_header("Content-Type", script.TYPE)
        if bug == "limit":
            async with slots:
                return await self.send()
        await self.send()

    post = get

    async def send(self):
        for wait, data in script.answer():
            if script.BUG == "serial":
                time.sleep(wait)
            else:
                await asyncio.sleep(wait)
            self.write(data)
            await self.flush()


class Login(tornado.web.RequestHandler):
    def get(self):
        self.redirect("/stream")


class Health(tornado.web.RequestHandler):
    def get(self):
        self.write({"status": "ok"})


async def main():
    app = tornado.web.Application([("/v1/chat/completions", Complete), ("/stream", Complete), ("/login", Login), ("/health", Health)])
    app.listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
