import asyncio

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse

app = FastAPI()
WORDS = ("The travel policy changed in three places: hotel rates follow the city list, "
         "train tickets need no approval, and receipts are due within thirty days.").split()


async def tokens():
    for word in WORDS:
        yield word + " "
        await asyncio.sleep(0.05)


@app.get("/chat")
async def chat():
    return StreamingResponse(tokens(), media_type="text/plain")


@app.get("/chat/plain")
async def plain():
    return PlainTextResponse("".join(word + " " for word in WORDS))
